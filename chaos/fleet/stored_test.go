package fleet_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/chaos/fleet"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/client"
)

// TestFailoverDoesNotGrowWithStoredConversations kills nodes of two clusters in
// turn, of which one holds many more conversations, and compares how long those
// that a killed node led stand still. PARLEY_CONVERSATIONS sets how many there
// are; with few kills on a busy machine only a growth beyond all scatter counts.
func TestFailoverDoesNotGrowWithStoredConversations(t *testing.T) {
	many, kills, large := 10_000, 5, false
	if n, err := strconv.Atoi(os.Getenv("PARLEY_CONVERSATIONS")); err == nil {
		many, kills, large = n, 20, true
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(many)*10*time.Millisecond+5*time.Minute)
	defer cancel()
	sizes := []int{1000, many}
	clusters := make([]*fleet.Fleet, len(sizes))
	for i, size := range sizes {
		clusters[i] = begin(ctx, t, 3)
		settle(ctx, t, clusters[i], 3)
		begun := time.Now()
		stored := store(ctx, t, clusters[i], size)
		t.Logf("%d conversations stored in %v", stored, time.Since(begun).Round(time.Millisecond))
	}
	stood := make([][]time.Duration, len(sizes))
	for k := range kills {
		for i, f := range clusters {
			stood[i] = append(stood[i], failover(ctx, t, f, f.Nodes()[k%3]))
		}
	}
	for _, all := range stood {
		slices.Sort(all)
	}
	few, more := stood[0], stood[1]
	ratio := float64(more[kills/2]) / float64(few[kills/2])
	t.Logf("%d kills each: with %d conversations %v, with %d %v; medians %v and %v, ratio %.2f",
		kills, sizes[0], few, sizes[1], more, few[kills/2], more[kills/2], ratio)
	if large && ratio > 1.25 || float64(more[0]) > 1.25*float64(few[kills-1]) {
		t.Errorf("failover takes %.2f times as long with %d conversations as with %d", ratio, sizes[1], sizes[0])
	}
}

// store has as many users as it takes write one message to each other, all of
// them at once, and tells how many conversations that makes.
func store(ctx context.Context, t *testing.T, f *fleet.Fleet, least int) (stored int) {
	t.Helper()
	users := 2
	for users*(users-1)/2 < least {
		users++
	}
	name := func(i int) string { return fmt.Sprintf("store%d", i) }
	urls := f.URLs()
	clients := make([]*client.Client, users)
	for i := range clients { // first of all: one can write only to users who exist
		tok, err := token(name(i))
		if err == nil {
			clients[i], err = client.Dial(ctx, client.Options{Servers: []string{urls[i%len(urls)]}, AppID: app, UserID: name(i), Token: tok})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var writing sync.WaitGroup
	for i, c := range clients {
		writing.Go(func() {
			for peer := i + 1; peer < users; peer++ {
				if _, err := c.Send(ctx, client.SendRequest{Peer: name(peer), Message: chat.Message{Type: chat.TypeText, Body: []byte("hello")}}); err != nil {
					t.Errorf("%s to %s: %v", name(i), name(peer), err)
					return
				}
			}
		})
	}
	writing.Wait()
	for _, c := range clients {
		if err := c.Close(ctx); err != nil {
			t.Error(err)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	return users * (users - 1) / 2
}

// failover kills a node and tells how long the conversations that it led stood
// still for users of the other nodes.
func failover(ctx context.Context, t *testing.T, f *fleet.Fleet, victim *fleet.Node) time.Duration {
	t.Helper()
	settle(ctx, t, f, 3)
	c := converseOn(ctx, t, f, 4, victim, victim)
	c.goesOn(ctx)
	killed := time.Now()
	victim.Kill()
	c.goesOn(ctx)
	stood := c.gap(killed)
	t.Logf("%s killed: its conversations stood still for %v", victim.Name, stood)
	c.finish(ctx)
	if err := victim.Start(ctx); err != nil {
		t.Fatal(err)
	}
	return stood
}
