"""From the log's archive to a snapshot."""
