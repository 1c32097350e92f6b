package directory

import "github.com/parley-im/parley/storage"

// sendAway sends a message to the node that leads its shard. False: the node is
// not connected. An error: too much waits for it.
func (d *Directory) sendAway(node storage.NodeID, m parked) (bool, error) {
	e := envelope(m.message, m.sender).to(m.id)
	if e.Type == 0 {
		return false, errNobody
	}
	n := d.neighbour(node)
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.up {
		return false, nil
	}
	q, tracked := question{e.Sender, e.Request}, e.Sender != "" && e.Request != 0
	if tracked {
		if _, used := n.questions[q]; used {
			return false, errNumberInUse
		}
		n.questions[q] = deadlines{m.until, d.elapsed() + answerTime}
	}
	if n.send(e) {
		return true, nil
	}
	if tracked {
		delete(n.questions, q)
	}
	if d.o.Peers.Queued(node) == 0 {
		return false, nil // its Down is on the way
	}
	return false, errBusy
}
