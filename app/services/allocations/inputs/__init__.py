"""What decides the shares of a date, read and counted: variants, their totals, sample ratios; decides nothing."""
