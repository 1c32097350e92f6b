package members

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/memberlist"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// Node is what is gossiped of a node. What others need to know of it must fit
// 512 bytes.
type Node struct {
	// ID is stable, from the data directory.
	ID storage.NodeID `json:"-"`
	// Start is when its process started, milliseconds since 1970; of two that claim
	// one ID or one address the newer one counts.
	Start uint64 `json:"s"`
	// Cluster is the one that it belongs to, "" while it has none.
	Cluster string `json:"c,omitempty"`
	Zone    string `json:"z,omitempty"`
	// Client is the URL for clients, Peer and Actor are HOST:PORT for other nodes.
	Client string `json:"u,omitempty"`
	Peer   string `json:"p"`
	Actor  string `json:"a"`
	// Draining says that it is about to stop, ClockWrong that its clock is far from
	// those of the others, so that it is not to lead.
	Draining   bool `json:"d,omitempty"`
	ClockWrong bool `json:"w,omitempty"`
	// Grant is the node that it lets found the cluster.
	Grant storage.NodeID `json:"g,omitempty"`
	// Oldest and Newest are the versions that it speaks, Agreed the one that the
	// cluster agreed on, as far as it knows.
	Oldest uint32 `json:"o"`
	Newest uint32 `json:"v"`
	Agreed uint32 `json:"r,omitempty"`
	// Gossip is where it gossips, HOST:PORT.
	Gossip string `json:"-"`
}

// metaFormat precedes the JSON; others are skipped.
const metaFormat = 1

// clusterRoom is kept free for the cluster's id, which a node learns last.
const clusterRoom = 64

// name is memberlist's name of the node. Each start has one of its own: others
// would refuse a known name at another address until they have declared its
// last start dead.
func (n Node) name() string { return string(n.ID) + "/" + strconv.FormatUint(n.Start, 10) }

func (n Node) encode() ([]byte, error) {
	text, err := json.Marshal(n)
	if err != nil {
		return nil, err
	}
	text = append([]byte{metaFormat}, text...)
	if len(text) > memberlist.MetaMaxSize {
		return nil, fmt.Errorf("what this node gossips of itself has %d bytes, allowed are %d: its zone, client URL and addresses are too long", len(text), memberlist.MetaMaxSize)
	}
	return text, nil
}

// checkRoom refuses a node that would be too long once it drains, has granted
// and knows its cluster: Update has nobody to tell by then.
func (n Node) checkRoom() error {
	n.Draining, n.ClockWrong, n.Agreed = true, true, n.Newest
	if n.Grant == "" {
		n.Grant = n.ID
	}
	if len(n.Cluster) < clusterRoom {
		n.Cluster = strings.Repeat("c", clusterRoom)
	}
	_, err := n.encode()
	return err
}

// Speaks are the versions that it speaks.
func (n Node) Speaks() chat.Versions { return chat.Versions{Oldest: n.Oldest, Newest: n.Newest} }

// decode reads what is gossiped of a node; false when it is of no release that
// this one knows.
func decode(m heard) (Node, bool) {
	id, _, ok := strings.Cut(m.Name, "/")
	n := Node{ID: storage.NodeID(id), Gossip: m.Address()}
	if !ok || id == "" || len(m.Meta) == 0 || m.Meta[0] != metaFormat || json.Unmarshal(m.Meta[1:], &n) != nil {
		return Node{}, false
	}
	return n, true
}
