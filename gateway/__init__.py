"""The gateway moves: it takes records in, journals them, addresses them, delivers them and answers for them."""
