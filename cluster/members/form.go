package members

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/parley-im/parley/storage"
)

// Form finds the cluster that this node, which has none, belongs to, or founds
// it: then found is set, and nobody else hears of the cluster before Update.
//
// Without seeds and without Expect the node founds alone. With seeds it waits
// for a node that has a cluster. With Expect it waits for that many nodes; each
// lets the one of the lowest ID that it sees found, once and for ever, and the
// one that more than half of the expected nodes let, founds. As long as no more
// than Expect nodes without data are started, no two can. A node whose disk is
// wiped meanwhile is one more: then stop all, remove their grant files, begin
// again.
func (m *Members) Form(ctx context.Context) (cluster string, found bool, err error) {
	look := time.NewTicker(m.o.Timing.Gather)
	defer look.Stop()
	tell := time.NewTicker(5 * time.Second)
	defer tell.Stop()
	for {
		all, granted := m.Nodes(), m.granted()
		d := decide(m.o.Self.ID, all, m.o.Expect, len(m.o.Seeds) > 0, granted)
		switch {
		case d.join != "":
			return d.join, false, nil
		case d.found:
			return "parley-" + strings.ToLower(rand.Text()), true, nil
		case d.grant != "":
			if err := writeGrant(m.o.GrantFile, d.grant); err != nil {
				return "", false, fmt.Errorf("write who may found the cluster: %w", err)
			}
			m.Update(func(n *Node) { n.Grant = d.grant })
		}
		select {
		case <-look.C:
		case <-tell.C:
			m.o.Log.Info("waiting for the cluster to form: " + m.waitsFor(all, granted))
		case <-ctx.Done():
			return "", false, fmt.Errorf("%s: %w", m.waitsFor(all, granted), ctx.Err())
		case <-m.ctx.Done():
			return "", false, errors.New("gossip was stopped before the cluster formed")
		}
	}
}

func (m *Members) granted() storage.NodeID {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.self.Grant
}

func (m *Members) waitsFor(all []Node, granted storage.NodeID) string {
	switch {
	case len(clusters(all)) > 1:
		return fmt.Sprintf("nodes of several clusters are here (%s); this one cannot know to which it belongs", strings.Join(clusters(all), ", "))
	case len(all) == 1:
		return "no other node is here: none of those to join is reached, or they gossip with another key or label"
	case m.o.Expect < 2:
		return fmt.Sprintf("%d nodes are here and none of them has a cluster; one that was started before must be among those to join", len(all))
	case granted == "":
		return fmt.Sprintf("%d nodes are here, this one included, and none of them has a cluster; %d are expected to found one", len(all), m.o.Expect)
	}
	return fmt.Sprintf("%d nodes are here and none of them has a cluster; this one lets %s found it, which needs the word of more than half of %d", len(all), granted, m.o.Expect)
}

// decision is what a node without a cluster does next; nothing set: wait.
type decision struct {
	join  string         // the cluster that is there
	found bool           // found one
	grant storage.NodeID // let this node found it
}

// decide is the rule by which a cluster forms. granted is what self has granted,
// "" for nothing; all holds self too.
func decide(self storage.NodeID, all []Node, expect int, seeds bool, granted storage.NodeID) (d decision) {
	there := clusters(all)
	lowest, grants := self, 0
	if granted == self {
		grants++
	}
	for _, n := range all {
		if n.ID != self && n.Grant == self {
			grants++
		}
		lowest = min(lowest, n.ID)
	}
	switch {
	case len(there) == 1:
		d.join = there[0]
	case len(there) > 1:
	case expect == 1 || expect == 0 && !seeds:
		d.found = true
	case expect == 0:
	case 2*grants > expect:
		d.found = true
	case granted == "" && len(all) >= expect:
		d.grant = lowest
	}
	return d
}

// clusters are those that some of all belong to.
func clusters(all []Node) (ids []string) {
	seen := make(map[string]bool)
	for _, n := range all {
		if n.Cluster != "" && !seen[n.Cluster] {
			seen[n.Cluster] = true
			ids = append(ids, n.Cluster)
		}
	}
	return ids
}
