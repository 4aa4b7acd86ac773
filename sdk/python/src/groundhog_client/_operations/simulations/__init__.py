"""Operations that simulate: campaigns, log replays and duration plans; none of them changes an experiment."""
