"""What a player hears and draws: a job's outputs and its original, in pieces made on demand."""
