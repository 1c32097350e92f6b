package storage

// Format numbers what nodes of one cluster cannot differ in: the rows on the disk,
// the log, what travels between nodes, as far as versions do not bridge it. It
// grows only with a change after which a cluster cannot be rolled from the last
// revision to this one; scripts/rolling.sh rolls from the revision that changed
// this file last.
const Format = 1
