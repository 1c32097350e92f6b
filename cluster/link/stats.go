package link

import "sync/atomic"

// Stats are running totals since the start, of all connections.
type Stats struct {
	FramesIn, FramesOut uint64
	BytesIn, BytesOut   uint64 // of frames, headers included
	Received            uint64 // messages
	// Dropped counts Sends that were false. What a broken connection took with
	// it is not counted.
	Dropped                          uint64
	SnapshotsSent, SnapshotsReceived uint64 // installed
	Up                               int    // peers connected
}

type counters struct {
	framesIn, framesOut, bytesIn, bytesOut, received, dropped, snapshotsSent, snapshotsReceived atomic.Uint64
	up                                                                                          atomic.Int64
}

// Stats gives the counters.
func (l *Link) Stats() Stats {
	s := &l.stats
	return Stats{
		FramesIn: s.framesIn.Load(), FramesOut: s.framesOut.Load(),
		BytesIn: s.bytesIn.Load(), BytesOut: s.bytesOut.Load(),
		Received: s.received.Load(), Dropped: s.dropped.Load(),
		SnapshotsSent: s.snapshotsSent.Load(), SnapshotsReceived: s.snapshotsReceived.Load(),
		Up: int(s.up.Load()),
	}
}
