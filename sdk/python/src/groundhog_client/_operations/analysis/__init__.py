"""Operations that read what an experiment's data show; none of them changes anything."""
