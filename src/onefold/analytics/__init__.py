"""What customers did, asked in columns: computed traits, sessions, segments."""
