// Entry of the console. Every page works without it: selection of many rows, sizes of mail frames.
import "app/frames";
import "app/list";
