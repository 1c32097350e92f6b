package node

import (
	"context"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/storage"
)

// call is a question to another node's control.
type call struct {
	node storage.NodeID
	done chan error
}

// ask sends a question to another node's control and waits for the answer, the
// end of the connection, or ctx.
func (c *control) ask(ctx context.Context, node storage.NodeID, question func(request uint32) any) error {
	return c.await(ctx, node, func(request uint32) error {
		if !c.n.directory.TellProcess(node, controlProcess, question(request), controlProcess) {
			return errNotReached
		}
		return nil
	})
}

// await asks under a number and waits for the answer.
func (c *control) await(ctx context.Context, node storage.NodeID, ask func(request uint32) error) error {
	done := make(chan error, 1)
	c.mu.Lock()
	request := c.calls.Add(call{node, done})
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.calls.Take(request)
	}()
	if err := ask(request); err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return chat.Errorf(chat.CodeTimeout, "ask a node", "it has not answered: %w", ctx.Err())
	case <-c.ctx.Done():
		return errNotReached
	}
}

var errNotReached = chat.Errorf(chat.CodeUnavailable, "ask a node", "it is not connected")

// failCalls ends the questions to a node that is no longer connected.
func (c *control) failCalls(node storage.NodeID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for request, q := range c.calls.All() {
		if q.node == node {
			c.calls.Take(request)
			q.done <- chat.Errorf(chat.CodeTimeout, "ask a node", "the connection to it broke")
		}
	}
}

// resolve ends a question.
func (c *control) resolve(request uint32, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if q, ok := c.calls.Take(request); ok {
		q.done <- err
	}
}
