"""From measured figures of one node to many nodes: arithmetic, queues, a picture."""
