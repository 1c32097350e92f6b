package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"text/tabwriter"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage/pebble"
)

type verifyCommand struct {
	Data string `required:"" help:"The data directory; no node may have it open." placeholder:"DIR" type:"existingdir"`
	Dump bool   `help:"Print the conversations' entries as JSON lines, without what they say; the summary goes to stderr."`
}

// dumped is a line of --dump.
type dumped struct {
	App          chat.AppID `json:"app"`
	Conversation string     `json:"conv"` // peer:FIRST/SECOND
	Shard        uint16     `json:"shard"`
	Seq          uint64     `json:"seq"`
	Cmid         string     `json:"cmid"`
	Sender       string     `json:"sender"`
	Hash         string     `json:"hash"` // of the conversation up to here
}

// errDamaged is what rows that contradict each other end with: exit code 1, as
// for a directory that cannot be read.
var errDamaged = errors.New("the data is damaged")

// Run reads everything and changes nothing.
func (c *verifyCommand) Run() error {
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	summary := io.Writer(out)
	var visit func(pebble.Stored) error
	if c.Dump {
		summary = os.Stderr
		lines := json.NewEncoder(out)
		visit = func(e pebble.Stored) error {
			return lines.Encode(dumped{
				App: e.Conversation.App, Conversation: dumpedName(e.Conversation), Shard: uint16(e.Shard), Seq: e.Seq,
				Cmid: hex.EncodeToString(e.ClientMessageID[:]), Sender: e.Sender, Hash: hex.EncodeToString(e.Hash[:]),
			})
		}
	}
	found, err := pebble.Examine(filepath.Join(c.Data, "store"), visit)
	if errors.Is(err, syscall.EAGAIN) {
		return fmt.Errorf("the data folder %s is in use by another process; stop the node first", c.Data)
	}
	if err == nil {
		err = printExamination(summary, found)
	}
	if flushed := out.Flush(); err == nil {
		err = flushed
	}
	if err == nil && found.Problems() > 0 {
		err = fmt.Errorf("%w: %d problems", errDamaged, found.Problems())
	}
	return err
}

// dumpedName is as chaos/history has it.
func dumpedName(k chat.ConversationKey) string {
	if first, second, ok := k.Peers(); ok {
		return "peer:" + first + "/" + second
	}
	return fmt.Sprintf("kind%d:%s", k.Kind, k.ID)
}

func printExamination(out io.Writer, e pebble.Examination) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "node %s\n\nSHARD\tCONVERSATIONS\tENTRIES\tERASED\tROWS\tAPPLIED\tLOG\t\n", e.Node)
	for _, s := range e.Shards {
		if s.Removed {
			fmt.Fprintf(w, "%d\t-\t-\t-\t-\t-\t-\tremoved from here\n", s.Shard)
			continue
		}
		fmt.Fprintf(w, "%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", s.Shard, s.Conversations, s.Entries, s.Erased, s.Rows, s.Applied, s.Last)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, s := range e.Shards {
		if s.Waiting > 0 {
			if _, err := fmt.Fprintf(out, "shard %d: the log still holds %d messages that were recalled; the node cuts it when it runs again\n", s.Shard, s.Waiting); err != nil {
				return err
			}
		}
		for _, p := range s.Problems {
			if _, err := fmt.Fprintf(out, "shard %d: %s\n", s.Shard, p); err != nil {
				return err
			}
		}
	}
	return nil
}
