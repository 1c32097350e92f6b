package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

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
	Cluster     string        `json:"cluster"`
	Node        string        `json:"node"` // who says so
	TimeMs      int64         `json:"time_ms"`
	ShardsTotal int           `json:"shards_total"`
	Meta        MetaStatus    `json:"meta"`
	Nodes       []NodeStatus  `json:"nodes"`
	Shards      []ShardStatus `json:"shards"`
	Moves       []MoveStatus  `json:"moves"`
}

// MetaStatus tells who decides about the cluster; empty: nobody at the moment.
type MetaStatus struct {
	Leader string `json:"leader"`
	Term   uint64 `json:"term"`
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

// Problem is the body of a refusal.
type Problem struct {
	Code    uint32 `json:"code"`
	Message string `json:"message"`
}

func (c Cluster) register(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/cluster", c.guarded(func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, c.Status()) }))
	for action, do := range map[string]func(context.Context, string) error{"drain": c.Drain, "undrain": c.Undrain, "remove": c.Remove} {
		mux.HandleFunc("POST /api/cluster/nodes/{node}/"+action, c.guarded(func(w http.ResponseWriter, r *http.Request) {
			if err := do(r.Context(), r.PathValue("node")); err != nil {
				refuse(w, err)
				return
			}
			w.WriteHeader(http.StatusNoContent)
		}))
	}
}

// guarded lets in who bears the token. Digests are compared, so that the time
// tells nothing of the token's length either.
func (c Cluster) guarded(next http.HandlerFunc) http.HandlerFunc {
	want := sha256.Sum256([]byte(c.Token))
	return func(w http.ResponseWriter, r *http.Request) {
		token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		got := sha256.Sum256([]byte(token))
		if c.Token == "" || !bearer || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			answer(w, http.StatusUnauthorized, Problem{uint32(chat.CodeTokenInvalid), "the admin token is missing or wrong: send Authorization: Bearer TOKEN"})
			return
		}
		next(w, r)
	}
}

func refuse(w http.ResponseWriter, err error) {
	code := chat.CodeOf(err)
	status := http.StatusInternalServerError
	switch {
	case code == chat.CodeInvalidParam:
		status = http.StatusBadRequest
	case code.Retryable():
		status = http.StatusServiceUnavailable
	}
	answer(w, status, Problem{uint32(code), err.Error()})
}
