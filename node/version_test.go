package node_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/members"
	"github.com/parley-im/parley/node"
)

const laterVersion = "the cluster has agreed on version 9, and this release speaks"

func TestANodeSaysWhatVersionTheClusterAgreedOn(t *testing.T) {
	f := startNodes(t, 1)
	eventually(t, "the version is known, and stored", func() bool {
		s := f.nodes[0].Status()
		text, err := os.ReadFile(filepath.Join(f.o[0].Data, "cluster.json"))
		return err == nil && strings.Contains(string(text), `"version":`) && s.Version == chat.Version && len(s.Nodes) == 1 && s.Nodes[0].Newest == chat.Version
	})
}

func TestAReleaseThatIsTooOldEndsWithAReason(t *testing.T) {
	f := startNodes(t, 1)
	// later is a node of the same cluster, whose version this release does not speak.
	later, err := members.Start(members.Options{
		Self:  members.Node{ID: "later", Start: 1, Cluster: f.nodes[0].Status().Cluster, Peer: "127.0.0.1:1", Actor: "127.0.0.1:2", Oldest: 1, Newest: 9, Agreed: 9},
		Label: "parley", Bind: "127.0.0.1:0", Seeds: []string{f.o[0].Cluster.GossipAddr}, Log: slog.New(slog.DiscardHandler),
		Changed: func([]members.Node) {}, Gone: func(members.Node) {}, Evicted: func() {},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer later.Close()
	select {
	case err := <-f.fatal[0]:
		if !strings.Contains(err.Error(), laterVersion) {
			t.Errorf("the running node ends with %v", err)
		}
	case <-time.After(waitFor):
		t.Fatal("a running node stays, which cannot apply what the others agree on")
	}
	f.stop(0)
	f.o[0].Cluster.Join = []string{later.Addr()}
	if err := f.start(0)[0]; err == nil || !strings.Contains(err.Error(), laterVersion) {
		t.Errorf("a node that was there before starts: %v", err)
	}
	fresh := options(t)
	fresh.Shards, fresh.Cluster = f.o[0].Shards, node.ClusterOptions{Join: []string{later.Addr()}}
	ctx, cancel := context.WithTimeout(t.Context(), waitFor)
	defer cancel()
	if n, err := node.Start(ctx, fresh); err == nil || !strings.Contains(err.Error(), laterVersion) {
		t.Errorf("a new node starts: %v", errors.Join(err, n.Close(ctx)))
	}
}

func TestAnOlderReleaseDoesNotStartOnALaterFolder(t *testing.T) {
	f := startNodes(t, 1)
	f.stop(0)
	file := filepath.Join(f.o[0].Data, "cluster.json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	cluster, _, _ := strings.Cut(strings.TrimPrefix(string(text), `{"cluster":"`), `"`)
	if err := os.WriteFile(file, []byte(`{"cluster":"`+cluster+`","version":9}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.start(0)[0]; err == nil || !strings.Contains(err.Error(), laterVersion) {
		t.Errorf("it starts: %v", err)
	}
}
