package members

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/parley-im/parley/internal/durable"
	"github.com/parley-im/parley/storage"
)

// peer is where another node of the cluster gossiped last.
type peer struct {
	ID     storage.NodeID `json:"id"`
	Gossip string         `json:"gossip"`
}

// maxPeers bounds the file: clusters are smaller, but nodes are replaced.
const maxPeers = 100

// readPeers has the nodes of the file looked for like any that vanished: a node
// that founded its cluster has no seeds.
func (m *Members) readPeers() {
	if m.o.PeersFile == "" {
		return
	}
	text, err := os.ReadFile(m.o.PeersFile)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		err = json.Unmarshal(text, &m.peers)
	}
	if err != nil {
		m.o.Log.Warn("where other nodes were is not known; only those to join are looked for", "file", m.o.PeersFile, "error", err)
	}
	for _, p := range m.peers {
		m.lost[p.ID] = lost{Node: Node{ID: p.ID, Gossip: p.Gossip}, since: time.Now()}
	}
}

// writePeers keeps the file up to date: live nodes first, then those that were
// there before, the longest gone last. Without the file a start only takes
// longer to find the others.
func (m *Members) writePeers() {
	if m.o.PeersFile == "" {
		return
	}
	var next []peer
	for _, n := range m.live {
		if n.ID != m.o.Self.ID && n.Cluster != "" {
			next = append(next, peer{n.ID, n.Gossip})
		}
	}
	slices.SortFunc(next, func(a, b peer) int { return strings.Compare(string(a.ID), string(b.ID)) })
	for _, p := range m.peers {
		if !slices.ContainsFunc(next, func(q peer) bool { return q.ID == p.ID }) {
			next = append(next, p)
		}
	}
	next = next[:min(len(next), maxPeers)]
	if slices.Equal(next, m.peers) {
		return
	}
	text, err := json.Marshal(next)
	if err == nil {
		err = durable.WriteFile(m.o.PeersFile, text)
	}
	if err != nil {
		m.o.Log.Warn("where other nodes are is not kept for the next start", "error", err)
		return
	}
	m.peers = next
}
