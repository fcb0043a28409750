"""What operations staff ask of a running gateway: is all accounted for, where is this message, who must act."""
