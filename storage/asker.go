package storage

// Class says what a read is part of. Those of a lower class come first, but for
// Repair, which always has a small part.
type Class uint8

// The classes of reads.
const (
	Cluster Class = iota // the cluster's own work: placement, outboxes
	Login                // devices that attach
	Client               // what clients ask for
	Repair               // looks for pushes that may have been lost
	Classes              // how many there are
)

// Asker says for whom something is read. Within a class all askers have a turn
// after one another, so that a long queue of one of them delays that one alone.
type Asker struct {
	Class Class
	ID    string
	// Gone, if set, says that nobody waits for the answer any more. It must not
	// block.
	Gone func() bool
}
