// Package api is the HTTP side of a node beside the WebSocket: health, what
// operators see and do of the cluster, and, for `parley dev`, tokens for
// everybody on this machine. node gives it what it needs of the other parts. A
// handler may block for as long as the node takes to answer.
package api

import (
	"encoding/json"
	"net/http"

	"github.com/parley-im/parley/chat"
)

// Problem is the body of a refusal.
type Problem struct {
	Code    chat.Code `json:"code"`
	Message string    `json:"message"`
}

// refuse answers with a code and a sentence, and a status that fits.
func refuse(w http.ResponseWriter, code chat.Code, sentence string) {
	status := http.StatusBadRequest
	switch {
	case code == chat.CodeInternal:
		status = http.StatusInternalServerError
	case code.Retryable():
		status = http.StatusServiceUnavailable
	}
	answer(w, status, Problem{code, sentence})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
