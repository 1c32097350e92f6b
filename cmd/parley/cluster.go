package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/parley-im/parley/config"
	"github.com/parley-im/parley/transport/api"
)

// adminFlags say which node is asked, and with what right.
type adminFlags struct {
	Admin     string `help:"URL of any node's admin address." default:"http://127.0.0.1:7700" placeholder:"URL"`
	TokenFile string `help:"File with the admin token." default:"./data/admin-token" placeholder:"FILE" type:"path"`
}

type statusCommand struct {
	adminFlags
	JSON bool `name:"json" help:"Print what the node answers."`
}

type drainCommand struct {
	adminFlags
	Node string `help:"The node to drain; the default is the one that is asked." placeholder:"ID"`
	Undo bool   `help:"Have the node take part again."`
}

type nodeCommand struct {
	Remove removeCommand `cmd:"" help:"Take a node out of the cluster for good."`
}

type removeCommand struct {
	adminFlags
	Node string `arg:"" help:"ID of the node."`
}

// errDegraded is exit code 3: the answer is there, and it is bad.
var errDegraded = errors.New("some shards have no leader or some nodes are silent")

// Run prints the cluster.
func (c *statusCommand) Run(ctx context.Context) error {
	var status api.ClusterStatus
	text, err := c.call(ctx, http.MethodGet, "", &status)
	if err != nil {
		return err
	}
	if c.JSON {
		_, err = os.Stdout.Write(text)
	} else {
		err = printStatus(os.Stdout, status)
	}
	if err == nil && degraded(status) {
		err = errDegraded
	}
	return err
}

// Run drains a node.
func (c *drainCommand) Run(ctx context.Context) error {
	node := c.Node
	if node == "" {
		var status api.ClusterStatus
		if _, err := c.call(ctx, http.MethodGet, "", &status); err != nil {
			return err
		}
		node = status.Node
	}
	action := "drain"
	if c.Undo {
		action = "undrain"
	}
	_, err := c.call(ctx, http.MethodPost, "/nodes/"+url.PathEscape(node)+"/"+action, nil)
	return err
}

// Run removes a node.
func (c *removeCommand) Run(ctx context.Context) error {
	_, err := c.call(ctx, http.MethodPost, "/nodes/"+url.PathEscape(c.Node)+"/remove", nil)
	return err
}

// adminPatience is how long a node may take to answer.
const adminPatience = 15 * time.Second

// call asks the node and decodes what it answers.
func (a adminFlags) call(ctx context.Context, method, path string, into any) ([]byte, error) {
	token, err := config.ReadFile(a.TokenFile)
	if err != nil {
		return nil, usagef("read the admin token: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, adminPatience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(a.Admin, "/")+"/api/cluster"+path, nil)
	if err != nil {
		return nil, usagef("--admin %q is no URL", a.Admin)
	}
	r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode >= http.StatusBadRequest {
		var p api.Problem
		if json.Unmarshal(text, &p) != nil || p.Message == "" {
			return nil, fmt.Errorf("%s answers %s", a.Admin, answer.Status)
		}
		return nil, errors.New(p.Message)
	}
	if into != nil {
		err = json.Unmarshal(text, into)
	}
	return text, err
}

func degraded(s api.ClusterStatus) bool {
	for _, n := range s.Nodes {
		if n.State == "active" && !n.Alive {
			return true
		}
	}
	for _, sh := range s.Shards {
		if sh.Leader == "" {
			return true
		}
	}
	return s.Meta.Leader == ""
}

// printStatus is the cluster for people.
func printStatus(out io.Writer, s api.ClusterStatus) error {
	leaderless, lagging := 0, 0
	for _, sh := range s.Shards {
		if sh.Leader == "" {
			leaderless++
		}
		for _, lag := range sh.Lag {
			if lag > 1000 {
				lagging++
			}
		}
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "cluster %s, version %d: %d shards, %d without a leader, %d replicas far behind, %d moves; decided by %s\n\n",
		s.Cluster, s.Version, s.ShardsTotal, leaderless, lagging, len(s.Moves), cmp.Or(s.Meta.Leader, "nobody"))
	fmt.Fprintln(w, "NODE\tSTATE\tHEARD\tZONE\tREPLICAS\tLEADS\tVERSION\tCLIENTS AT")
	for _, n := range s.Nodes {
		heard := "now"
		switch {
		case !n.Alive && n.State == "removed":
			heard = "-" // nobody listens for it
		case !n.Alive:
			heard = (time.Duration(n.SilentMs) * time.Millisecond).Round(time.Second).String() + " ago"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s\n", n.ID, n.State, heard, cmp.Or(n.Zone, "-"), n.Replicas, n.Leaders, n.Newest, cmp.Or(n.Client, "-"))
	}
	for _, m := range s.Moves {
		since := time.UnixMilli(s.TimeMs).Sub(time.UnixMilli(m.SinceMs)).Round(time.Second)
		fmt.Fprintf(w, "\nshard %d is moving to %s, since %v", m.Shard, strings.Join(m.Voters, ", "), since)
	}
	fmt.Fprintln(w)
	return w.Flush()
}
