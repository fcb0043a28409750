"""Who is owed what: the only place that decides who gets which event, and which of its fields."""
