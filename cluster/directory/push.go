package directory

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/storage"
)

// PushTo says which connections get what is pushed to the actor: SendLive then
// hands it to them past the actor's mailbox. Before the first call the actor gets
// it. A push may overtake one that the actor has not handled by then.
func (a Activation) PushTo(connections []*actor.PID) { a.activation.connections.Store(&connections) }

// Push hands a push to those connections.
func (a Activation) Push(m *actorpb.Deliver) {
	if to := a.activation.connections.Load(); to != nil {
		a.Directory.push(*to, m)
	}
}

// push hands a push to connections, but for its origin: here at once, elsewhere by
// the relay of their node. No lock may be held.
func (d *Directory) push(to []*actor.PID, m *actorpb.Deliver) {
	var away map[storage.NodeID][]string
	for _, pid := range to {
		switch {
		case pid.Id == m.Origin:
		case pid.Address == d.o.System.Address():
			d.o.System.Root.Send(pid, m)
		default:
			if away == nil {
				away = make(map[storage.NodeID][]string)
			}
			node := storage.NodeID(pid.Address)
			away[node] = append(away[node], pid.Id)
		}
	}
	for node, ids := range away {
		d.o.System.Root.Send(actor.NewPID(string(node), RelayProcess), &actorpb.Deliver{Frame: m.Frame, Connections: ids})
	}
}

// pushesTo gives the connections for a push to an activation; false when the actor
// is to get the message itself.
func (a *activation) pushesTo(message any) (*actorpb.Deliver, []*actor.PID, bool) {
	m, push := message.(*actorpb.Deliver)
	if !push {
		return nil, nil, false
	}
	to := a.connections.Load()
	if to == nil {
		return nil, nil, false
	}
	return m, *to, true
}
