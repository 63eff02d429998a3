"""What answers look like: for programs (shapes), for people (sections), on the screen (output)."""
