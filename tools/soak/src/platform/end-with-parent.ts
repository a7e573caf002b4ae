/**
 * Imported before a service's own program. A soak run that is killed closes the channel, and the service ends with it:
 * nothing is left behind, however the run ended.
 */
process.on('disconnect', () => process.exit(1));
