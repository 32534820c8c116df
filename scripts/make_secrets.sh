#!/bin/sh
# Make the secrets of docker-compose.yml that are not there yet: `make_secrets.sh [DIR]`. Never
# changes one. Only you can enter the directory; the files themselves are readable, because each
# container sees its own as another user.
set -eu
directory=${1:-./secrets}
umask 077
mkdir -p "$directory"
chmod 700 "$directory"
for name in secret_key secrets_key database_password redis_password; do
    file=$directory/$name
    if [ -s "$file" ]; then continue; fi
    head -c 48 /dev/urandom | base64 | tr -d '\n' | tr '+/' '-_' >"$file.new"
    chmod 444 "$file.new"
    mv "$file.new" "$file"
    echo "made $file"
done
# Yours to fill, if the host that takes your mail asks for one.
if [ ! -e "$directory/smarthost_password" ]; then
    : >"$directory/smarthost_password"
    chmod 444 "$directory/smarthost_password"
fi
