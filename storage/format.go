package storage

// Format numbers what nodes of one cluster cannot differ in: the rows on the disk,
// the log, what travels between nodes, as far as versions do not bridge it. It
// grows only with a change after which a cluster cannot be rolled from the last
// revision to this one; scripts/rolling.sh rolls from the revision that changed
// this file last. It began again at 1 before the first release (docs/adr/0009).
const Format = 1
