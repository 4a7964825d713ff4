"""The report of a day, a month or a year: what the twin wrote to the store, told for managers and engineers.

source  -> the port to the store: figures as plain columns
period  -> words of the command line to windows of a site's calendar
book    -> everything read of one line, in arrays
trend   -> slope, projection to the end of the period, CUSUM
losses, rules, pots, quality, emissions -> one section each, arrays to structs of `data`
alarms  -> the journal of alarms to figures of operating positions
compose -> the whole report, a struct of `data`
svg, words, page, table -> that struct drawn, said, as HTML and as CSV
"""
