"""What the relay says over HTTP: WHIP (RFC 9725), WHEP (draft-ietf-wish-whep), and the list of streams."""
