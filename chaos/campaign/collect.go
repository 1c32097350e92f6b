package campaign

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/parley-im/parley/chaos/check"
	"github.com/parley-im/parley/chaos/fleet"
	"github.com/parley-im/parley/chaos/history"
	"github.com/parley-im/parley/chaos/report"
	"github.com/parley-im/parley/chaos/workload"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// collect reads every conversation through every node, then the logs that the
// stopped nodes hold.
func (r *run) collect(ctx context.Context) error {
	within := auditTime
	if r.stuck != nil {
		within = stuckTime // not all of it will be answered
	}
	audit, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for _, n := range r.live() {
		r.say("reading everything through %s", n.Name)
		if err := r.users.Audit(audit, workload.Server{Name: n.Name, URL: n.URL()}); err != nil {
			r.trouble(fmt.Errorf("read everything through %s: %w", n.Name, err))
		}
	}
	quiet, cancel := context.WithTimeout(ctx, r.slow(wholeTime))
	defer cancel()
	if r.stuck == nil {
		if err := r.fleet.AwaitWhole(quiet, 0); err != nil {
			r.trouble(err)
		}
	}
	held, err := r.holders(ctx)
	if err != nil {
		r.trouble(err)
		return nil
	}
	for _, n := range r.fleet.Nodes() {
		n.Stop()
	}
	for n, conversations := range held {
		r.say("reading the log of %s", n.Name)
		if err := r.logs(ctx, n, conversations); err != nil {
			return err
		}
	}
	return nil
}

// holders says which nodes are to hold which conversations, which each of them
// holds when asked a moment before.
func (r *run) holders(ctx context.Context) (map[*fleet.Node]map[workload.Conversation]uint16, error) {
	s, _, err := r.fleet.AnyStatus(ctx)
	if err != nil {
		return nil, err
	}
	nodes := make(map[string]*fleet.Node)
	for _, n := range r.live() {
		own, err := n.Status(ctx)
		if err != nil {
			return nil, err
		}
		nodes[own.Node] = n
	}
	held := make(map[*fleet.Node]map[workload.Conversation]uint16)
	for _, c := range r.users.Conversations() {
		a, b, _ := history.Peers(c.Name)
		shard := storage.ConversationShard(s.ShardsTotal, chat.PeerConversation(c.App, a, b))
		at := slices.IndexFunc(s.Shards, func(one shardStatus) bool { return one.Shard == int(shard) })
		if at < 0 {
			return nil, fmt.Errorf("the cluster does not know of shard %d", shard)
		}
		for _, id := range s.Shards[at].Voters {
			if nodes[id] == nil {
				return nil, fmt.Errorf("shard %d is to be on %s, which does not run", shard, id)
			}
			if held[nodes[id]] == nil {
				held[nodes[id]] = make(map[workload.Conversation]uint16)
			}
			held[nodes[id]][c] = uint16(shard)
		}
	}
	return held, nil
}

// entry is a line of parley verify --dump.
type entry struct {
	App    chat.AppID `json:"app"`
	Conv   string     `json:"conv"`
	Shard  uint16     `json:"shard"`
	Seq    uint64     `json:"seq"`
	Cmid   string     `json:"cmid"`
	Sender string     `json:"sender"`
	Hash   string     `json:"hash"`
}

// logs has a stopped node's directory verified and records the logs that it is
// to hold, and those that it holds beside them as far as it has members' shards.
func (r *run) logs(ctx context.Context, n *fleet.Node, held map[workload.Conversation]uint16) error {
	for c, shard := range held {
		r.history.Record(history.Event{Kind: history.KindReplica, Node: n.Name, App: c.App, Conversation: c.Name, Shard: shard})
	}
	words, err := os.Create(filepath.Join(r.o.Dir, n.Name+"-verify.txt"))
	if err != nil {
		return err
	}
	defer words.Close()
	cmd := exec.CommandContext(ctx, r.o.Binary, "verify", "--data", n.Dir, "--dump")
	cmd.Stderr = words
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var e entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			if ctx.Err() != nil { // verify was ended in the middle of a line
				return ctx.Err()
			}
			return fmt.Errorf("read what verify says of %s: %w", n.Name, err)
		}
		if _, ours := held[workload.Conversation{App: e.App, Name: e.Conv}]; ours {
			r.history.Record(history.Event{
				Kind: history.KindLog, Node: n.Name, App: e.App, Conversation: e.Conv, Seq: e.Seq, Cmid: e.Cmid, Sender: e.Sender, Hash: e.Hash,
			})
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if err := cmd.Wait(); err != nil {
		r.trouble(fmt.Errorf("verify the data of %s (%s): %w", n.Name, words.Name(), err))
	}
	return nil
}

// judge checks the history and writes the page and the verdict.
func (r *run) judge() (*check.Verdict, error) {
	r.say("checking")
	var verdict *check.Verdict
	err := r.read(func(h *history.Reader) (err error) {
		verdict, err = check.Run(h, Sample(r.o.Seed))
		return err
	})
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(verdict, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(r.o.Dir, "verdict.json"), text, 0o644)
	}
	if err != nil {
		return nil, err
	}
	page, err := os.Create(filepath.Join(r.o.Dir, "report.html"))
	if err != nil {
		return nil, err
	}
	err = r.read(func(h *history.Reader) error { return report.Write(page, h, verdict) })
	if closed := page.Close(); err == nil {
		err = closed
	}
	return verdict, err
}

// read has something done with the history.
func (r *run) read(do func(*history.Reader) error) error {
	file, err := os.Open(r.historyFile())
	if err != nil {
		return err
	}
	defer file.Close()
	h, err := history.NewReader(file)
	if err != nil {
		return err
	}
	return do(h)
}
