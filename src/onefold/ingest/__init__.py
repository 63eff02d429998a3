"""The way in: what senders send is decoded, waits its turn, and is stitched and stored in batches."""
