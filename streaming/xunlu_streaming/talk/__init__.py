"""Push-to-talk: floor, groups, participants and their one session each. See docs/decisions/0008-push-to-talk.md."""
