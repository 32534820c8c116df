"""What the protocols call: accepting, receiving and forwarding mail, composed of the services."""
