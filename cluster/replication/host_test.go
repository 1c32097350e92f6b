package replication_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/replication"
	"github.com/parley-im/parley/storage"
	"github.com/parley-im/parley/storage/memory"
)

// gated is a store whose synced commits wait for leave, and fail when told to,
// once it is shut.
type gated struct {
	storage.Store
	shut  atomic.Bool
	begun chan struct{} // one token for each commit that began
	leave chan error    // what the commit does
}

func newGated() *gated {
	return &gated{Store: memory.New(4, "n1"), begun: make(chan struct{}, 100), leave: make(chan error, 100)}
}

func (g *gated) Batch() storage.Batch { return gatedBatch{g.Store.Batch(), g} }

type gatedBatch struct {
	storage.Batch
	store *gated
}

func (b gatedBatch) Commit(sync bool) error {
	if sync && b.store.shut.Load() {
		b.store.begun <- struct{}{}
		if err := <-b.store.leave; err != nil {
			b.Discard()
			return err
		}
	}
	return b.Batch.Commit(sync)
}

// run starts a host that is alone, waits until it leads all shards, and closes
// it with the test.
func run(t *testing.T, s storage.Store) (h *replication.Host, fatal chan error) {
	t.Helper()
	return runStalling(t, s, time.Hour, nil)
}

// runStalling is run with a limit for commits.
func runStalling(t *testing.T, s storage.Store, stall time.Duration, late func(storage.ShardID, time.Duration)) (h *replication.Host, fatal chan error) {
	t.Helper()
	fatal = make(chan error, 10)
	gained := make(chan struct{}, 5)
	h, err := replication.New(replication.Options{
		Store: s, Shards: 4, Voters: []storage.NodeID{s.Node()}, Stall: stall, CommittedAfterTimeout: late, Now: time.Now, Fatal: func(err error) { fatal <- err },
		Gained: func(storage.ShardID, storage.Term) { gained <- struct{}{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Start()
	for range 5 { // the meta shard too
		<-gained
	}
	t.Cleanup(func() {
		if err := h.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return h, fatal
}

// answer is what a proposal was answered with.
type answer struct {
	out storage.Outcome
	err error
}

func login(i, bytes int) chat.Login {
	return chat.Login{User: chat.UserKey{App: 1, ID: fmt.Sprintf("user%d", i)}, Name: string(make([]byte, bytes))}
}

// propose sends a login of a number of bytes and gives where the answer comes.
func propose(h *replication.Host, i, bytes int) <-chan answer {
	term, _ := h.Leader(1)
	return proposeIn(h, term, i, bytes)
}

func proposeIn(h *replication.Host, term storage.Term, i, bytes int) <-chan answer {
	done := make(chan answer, 2)
	h.Propose(1, term, []chat.CommandBody{login(i, bytes)}, func(out storage.Outcome, err error) { done <- answer{out, err} })
	return done
}

func TestAFullQueueAnswersBusyAndTheOthersAreDone(t *testing.T) {
	s := newGated()
	h, _ := run(t, s)
	s.shut.Store(true)
	first := propose(h, 0, 1)
	<-s.begun // the worker is busy with the first
	var waiting []<-chan answer
	for i := range 100 {
		waiting = append(waiting, propose(h, i, 1<<20))
	}
	refused := 0
	for _, w := range waiting {
		select {
		case a := <-w:
			if chat.CodeOf(a.err) != chat.CodeBusy {
				t.Fatalf("answered %v before its commit", a.err)
			}
			refused++
		default:
		}
	}
	if refused < 60 || refused > 70 {
		t.Errorf("%d of 100 MiB were refused, want those above 32 MiB", refused)
	}
	close(s.leave)
	if a := <-first; a.err != nil {
		t.Error(a.err)
	}
	for _, w := range waiting[:100-refused] {
		if a := <-w; a.err != nil {
			t.Error(a.err)
		}
	}
	if a := <-propose(h, 0, 1); a.err != nil {
		t.Errorf("after the queue was empty again: %v", a.err)
	}
}

func TestCloseFinishesWhatIsQueuedAndRefusesTheRest(t *testing.T) {
	s := newGated()
	h, _ := run(t, s)
	s.shut.Store(true)
	waiting := []<-chan answer{propose(h, 0, 1)}
	<-s.begun
	for i := range 20 {
		waiting = append(waiting, propose(h, i, 10))
	}
	term, _ := h.Leader(1)
	closed := make(chan error, 1)
	go func() { closed <- h.Close(t.Context()) }()
	for { // until the close has begun
		if _, err := h.Leader(1); chat.CodeOf(err) == chat.CodeUnavailable {
			break
		}
		runtime.Gosched()
	}
	if a := <-proposeIn(h, term, 99, 1); chat.CodeOf(a.err) != chat.CodeUnavailable {
		t.Errorf("a proposal after close: %v", a.err)
	}
	read := make(chan error, 1)
	h.Read(1, storage.Asker{}, func(storage.View) error { t.Error("read after close"); return nil }, func(err error) { read <- err })
	if err := <-read; chat.CodeOf(err) != chat.CodeUnavailable {
		t.Errorf("read after close: %v", err)
	}
	close(s.leave)
	if err := <-closed; err != nil {
		t.Error(err)
	}
	for i, w := range waiting {
		select {
		case a := <-w:
			if a.err != nil {
				t.Errorf("queued proposal %d: %v", i, a.err)
			}
		default:
			t.Errorf("queued proposal %d has no answer after close", i)
		}
	}
}

func TestACloseThatMayNotWaitAnswersEverything(t *testing.T) {
	s := newGated()
	h, _ := run(t, s)
	s.shut.Store(true)
	waiting := []<-chan answer{propose(h, 0, 1)}
	<-s.begun
	for i := range 20 {
		waiting = append(waiting, propose(h, i, 10))
	}
	expired, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Close(expired); !errors.Is(err, context.Canceled) {
		t.Errorf("close did not wait for the commit: %v", err)
	}
	close(s.leave)
	for i, w := range waiting {
		if a := <-w; a.err != nil && !chat.CodeOf(a.err).Retryable() {
			t.Errorf("proposal %d: %v", i, a.err)
		}
	}
	if err := h.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAStalledDiskKeepsNobodyWaiting(t *testing.T) {
	s := newGated()
	late := make(chan storage.ShardID, 10)
	h, _ := runStalling(t, s, 50*time.Millisecond, func(s storage.ShardID, ago time.Duration) {
		if ago >= 50*time.Millisecond {
			late <- s
		}
	})
	s.shut.Store(true)
	inside := propose(h, 0, 1)
	<-s.begun
	term, _ := h.Leader(1)
	queued := proposeIn(h, term, 1, 1)
	if a := <-inside; chat.CodeOf(a.err) != chat.CodeTimeout {
		t.Errorf("the proposal of the stalled commit: %v, want outcome unknown", a.err)
	}
	if a := <-queued; chat.CodeOf(a.err) != chat.CodeUnavailable {
		t.Errorf("a proposal after the stalled commit: %v, want that nothing was done", a.err)
	}
	if _, err := h.Leader(1); chat.CodeOf(err) != chat.CodeUnavailable {
		t.Errorf("the host still leads with a stalled disk: %v", err)
	}
	s.shut.Store(false)
	s.leave <- nil
	for { // until the worker has noticed
		if _, err := h.Leader(1); err == nil {
			break
		}
		runtime.Gosched()
	}
	if a := <-propose(h, 2, 1); a.err != nil {
		t.Errorf("after the stall: %v", a.err)
	}
	if s := <-late; s != 1 || len(late) > 0 {
		t.Errorf("shard %d is said to be late, and %d more; want 1, once", s, len(late))
	}
	if got := h.Stats().QueuedBytes; got != 0 {
		t.Errorf("%d bytes are still queued", got)
	}
}

func TestAFailedCommitIsFatalAndNothingIsAcknowledgedAfterIt(t *testing.T) {
	s := newGated()
	h, fatal := run(t, s)
	s.shut.Store(true)
	broken := errors.New("the disk is on fire")
	first := propose(h, 0, 1)
	<-s.begun
	queued := propose(h, 1, 1)
	s.leave <- broken
	close(s.leave) // a disk that seems to work again
	if a := <-first; chat.CodeOf(a.err) != chat.CodeTimeout {
		t.Errorf("the proposal of the failed commit: %v, want outcome unknown", a.err)
	}
	if err := <-fatal; !errors.Is(err, broken) {
		t.Errorf("fatal with %v", err)
	}
	if a := <-queued; a.err == nil || !chat.CodeOf(a.err).Retryable() {
		t.Errorf("a proposal queued after the failed commit: %v, %v", a.out, a.err)
	}
	if a := <-propose(h, 2, 1); chat.CodeOf(a.err) != chat.CodeUnavailable {
		t.Errorf("a proposal after the failed commit: %v, %v", a.out, a.err)
	}
	if _, err := h.Leader(1); chat.CodeOf(err) != chat.CodeUnavailable {
		t.Errorf("the host still leads after the failed commit: %v", err)
	}
	if len(fatal) != 0 {
		t.Error("fatal was called again")
	}
}

func TestAReadThatTheDiskFailsIsFatal(t *testing.T) {
	h, fatal := run(t, memory.New(4, "n1"))
	answer := make(chan error, 1)
	read := func(says error) error {
		h.Read(1, storage.Asker{}, func(storage.View) error { return says }, func(err error) { answer <- err })
		return <-answer
	}
	other := errors.New("a row that nobody can read")
	if err := read(other); !errors.Is(err, other) || len(fatal) > 0 {
		t.Errorf("what is not the disk's fault: %v, %d times fatal", err, len(fatal))
	}
	broken := fmt.Errorf("%w: it is on fire", storage.ErrDamaged)
	if err := read(broken); chat.CodeOf(err) != chat.CodeUnavailable {
		t.Errorf("the read: %v, want that another node may answer", err)
	}
	if err := <-fatal; !errors.Is(err, broken) {
		t.Errorf("fatal with %v", err)
	}
	if err := read(broken); chat.CodeOf(err) != chat.CodeUnavailable || len(fatal) > 0 {
		t.Errorf("the next read: %v, %d times fatal again", err, len(fatal))
	}
}

func TestAnotherTermIsRefused(t *testing.T) {
	s := memory.New(4, "n1")
	h, _ := run(t, s)
	term, err := h.Leader(1)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []storage.Term{0, term - 1, term + 1} {
		if a := <-proposeIn(h, other, 1, 1); chat.CodeOf(a.err) != chat.CodeUnavailable {
			t.Errorf("term %d was taken by the leader of %d: %v", other, term, a.err)
		}
	}
	if h.Stats().Proposals != 0 {
		t.Error("a refused command was proposed")
	}
	if err := h.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	next, _ := run(t, s)
	if got, _ := next.Leader(1); got <= term {
		t.Errorf("the next start leads in term %d, the one before in %d", got, term)
	}
}

func TestAReadAfterTheAckSeesTheWrite(t *testing.T) {
	h, _ := run(t, memory.New(4, "n1"))
	var users sync.WaitGroup
	for i := range 8 {
		users.Go(func() {
			for n := range 100 {
				if a := <-propose(h, i, n+1); a.err != nil {
					t.Error(a.err)
				}
				done := make(chan error, 1)
				h.Read(1, storage.Asker{}, func(v storage.View) error {
					u, _, err := v.User(login(i, 0).User)
					if len(u.Name) != n+1 {
						return fmt.Errorf("user %d has a name of %d bytes after %d were acknowledged", i, len(u.Name), n+1)
					}
					return err
				}, func(err error) { done <- err })
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
		})
	}
	users.Wait()
}

func TestCommandsOfAProposalAreAppliedNextToEachOther(t *testing.T) {
	h, _ := run(t, memory.New(4, "n1"))
	var proposers sync.WaitGroup
	for i := range 4 {
		proposers.Go(func() {
			for n := range 50 {
				done := make(chan answer, 1)
				body := chat.Send{
					Conversation: chat.PeerConversation(1, "ann", "bo"), Sender: "ann", IssuedAt: time.Now().UnixMilli(),
					Type: chat.TypeText, Content: []byte("x"), Window: chat.DefaultLimits().Dedupe,
				}
				var commands []chat.CommandBody
				for k := range 5 {
					body.ClientMessageID = chat.ClientMessageID{byte(i), byte(n), byte(k)}
					command := body
					commands = append(commands, &command)
				}
				term, _ := h.Leader(2)
				h.Propose(2, term, commands, func(out storage.Outcome, err error) { done <- answer{out, err} })
				a := <-done
				if a.err != nil || len(a.out.Results) != 5 || len(a.out.Events) != 5 {
					t.Errorf("%+v, %v", a.out, a.err)
					return
				}
				for k, r := range a.out.Results {
					if r.Sent.Seq != a.out.Results[0].Sent.Seq+uint64(k) || a.out.Events[k].(chat.Appended).Entry.Seq != r.Sent.Seq {
						t.Errorf("command %d of a proposal got seq %d, the first %d", k, r.Sent.Seq, a.out.Results[0].Sent.Seq)
					}
				}
			}
		})
	}
	proposers.Wait()
	if got := h.Stats(); got.Proposals != 200 || got.Answered != 200 || got.QueuedBytes != 0 {
		t.Errorf("stats %+v, want 200 proposals that are answered", got)
	}
}
