package node

import (
	"context"
	"time"

	"github.com/parley-im/parley/cluster/clock"
	"github.com/parley-im/parley/cluster/members"
)

// clockJudged acts on what the clocks of the other nodes say of this one's.
func (n *Node) clockJudged(v clock.Verdict) {
	n.host.Withhold(!v.MayLead())
	n.mesh.members.Update(func(m *members.Node) { m.ClockWrong = !v.MayLead() })
	log := n.o.Log.With("ahead", v.Offset.String(), "limit", clock.Limit.String(), "others", v.Others)
	switch {
	case !v.MayLead():
		log.Error("this node's clock is wrong by those of the other nodes: it leads nothing until it is set right")
	case v.Apart:
		log.Error("this node's clock was wrong by those of the other nodes, of which too few are left to lead: it leads with the time that they had")
	case v.Unsure:
		log.Warn("the clocks of this node and the only other one differ: nobody can tell which is wrong; set them right")
	default:
		log.Info("this node's clock agrees with those of the other nodes")
	}
}

// clockPatience is how long a start waits for the others' clocks. A link brings
// them within 0.1 s, so it ends only with nodes that are away.
const clockPatience = time.Second

// awaitClock waits until it is judged whether this node's clock is right, for
// which it takes two others: one that is wrong by much would have the first logins
// refused, for tokens that have long ended or are of the future.
func (n *Node) awaitClock(ctx context.Context) error {
	company, err := n.company()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, clockPatience)
	defer cancel()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for n.clock.Verdict().Others < min(2, max(len(company), len(n.neighbours(n.others())))) {
		select {
		case <-look.C:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}
