package api

import (
	"context"
	"net/http"

	"github.com/parley-im/parley/chat"
)

// Cluster is what operators may see and do on any node, with the token.
type Cluster struct {
	// Token is what requests must bear; empty: nobody may.
	Token  string
	Status func() ClusterStatus
	// Drain, Undrain and Remove change a node's place in the cluster.
	Drain, Undrain, Remove func(ctx context.Context, node string) error
}

// ClusterStatus is the cluster as one node knows it.
type ClusterStatus struct {
	Cluster     string `json:"cluster"`
	Node        string `json:"node"` // who says so
	TimeMs      int64  `json:"time_ms"`
	ShardsTotal int    `json:"shards_total"`
	// Version is the one that the nodes agreed on: the lowest newest of theirs.
	Version uint32        `json:"version"`
	Meta    MetaStatus    `json:"meta"`
	Nodes   []NodeStatus  `json:"nodes"`
	Shards  []ShardStatus `json:"shards"`
	Moves   []MoveStatus  `json:"moves"`
}

// MetaStatus tells who decides about the cluster; empty: nobody at the moment.
type MetaStatus struct {
	Leader string   `json:"leader"`
	Term   uint64   `json:"term"`
	Voters []string `json:"voters"`
}

// NodeStatus is one node. State is active, draining or removed.
type NodeStatus struct {
	ID       string `json:"id"`
	State    string `json:"state"`
	Alive    bool   `json:"alive"`
	SilentMs int64  `json:"silent_ms"`
	Zone     string `json:"zone"`
	Client   string `json:"client"`
	Peer     string `json:"peer"`
	Actor    string `json:"actor"`
	Replicas int    `json:"replicas"`
	Leaders  int    `json:"leaders"`
	Newest   uint32 `json:"newest"` // version that it speaks
}

// ShardStatus is one shard as its leader last said. Lag is how many entries a
// replica lacks.
type ShardStatus struct {
	Shard    int               `json:"shard"`
	Leader   string            `json:"leader"`
	Term     uint64            `json:"term"`
	Voters   []string          `json:"voters"`
	Learners []string          `json:"learners"`
	Applied  uint64            `json:"applied"`
	Lag      map[string]uint64 `json:"lag"`
}

// MoveStatus is a change of replicas that is under way.
type MoveStatus struct {
	Shard   int      `json:"shard"`
	Voters  []string `json:"voters"`
	SinceMs int64    `json:"since_ms"`
}

// Register adds the routes to a mux.
func (c Cluster) Register(mux *http.ServeMux) {
	mux.Handle("GET /api/cluster", Bearer(c.Token, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, c.Status()) })))
	for action, do := range map[string]func(context.Context, string) error{"drain": c.Drain, "undrain": c.Undrain, "remove": c.Remove} {
		mux.Handle("POST /api/cluster/nodes/{node}/"+action, Bearer(c.Token, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := do(r.Context(), r.PathValue("node")); err != nil {
				refuse(w, chat.CodeOf(err), err.Error()) // operators may see causes
				return
			}
			w.WriteHeader(http.StatusNoContent)
		})))
	}
}

// ElsewhereForOperators answers who looks for the cluster on the clients' port.
func ElsewhereForOperators(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusNotFound, Problem{chat.CodeUnsupported, "the cluster is shown on the node's admin address, 127.0.0.1:7700 unless it is set otherwise"})
}
