"""Operations on units: assign them, read and change what is stored of them; events are in `events`."""
