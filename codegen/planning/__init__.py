"""Planning: what an image will hold, before anything is rendered or compiled."""
