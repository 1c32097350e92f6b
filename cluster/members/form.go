package members

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
// than Expect nodes without data are started, no two can.
func (m *Members) Form(ctx context.Context) (cluster string, found bool, err error) {
	look := time.NewTicker(m.o.Timing.Gather)
	defer look.Stop()
	tell := time.NewTicker(10 * time.Second)
	defer tell.Stop()
	for {
		all := m.Nodes()
		d := decide(m.o.Self.ID, all, m.o.Expect, len(m.o.Seeds) > 0)
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
			m.o.Log.Info("waiting for the cluster to form", "nodes", len(all), "expect", m.o.Expect)
		case <-ctx.Done():
			return "", false, fmt.Errorf("%d nodes are here and none of them has a cluster; %s: %w", len(all), m.waitsFor(), ctx.Err())
		}
	}
}

func (m *Members) waitsFor() string {
	if m.o.Expect > 1 {
		return fmt.Sprintf("%d are expected to found one", m.o.Expect)
	}
	return "one that was started before must be among those to join"
}

// decision is what a node without a cluster does next; nothing set: wait.
type decision struct {
	join  string         // the cluster that is there
	found bool           // found one
	grant storage.NodeID // let this node found it
}

// decide is the rule by which a cluster forms.
func decide(self storage.NodeID, all []Node, expect int, seeds bool) (d decision) {
	var own storage.NodeID
	lowest, grants := self, 0
	for _, n := range all {
		if n.Cluster != "" {
			return decision{join: n.Cluster}
		}
		if n.ID == self {
			own = n.Grant
		}
		if n.Grant == self {
			grants++
		}
		lowest = min(lowest, n.ID)
	}
	switch {
	case expect == 1 || expect == 0 && !seeds:
		d.found = true
	case expect == 0:
	case 2*grants > expect && own == self:
		d.found = true
	case own == "" && len(all) >= expect:
		d.grant = lowest
	}
	return d
}

func readGrant(file string) (storage.NodeID, error) {
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return storage.NodeID(text), err
}

// writeGrant makes a grant durable before anybody hears of it.
func writeGrant(file string, to storage.NodeID) error {
	if file == "" {
		return nil
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(string(to))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
