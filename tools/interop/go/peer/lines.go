package peer

import (
	"encoding/json"
	"io"
	"sync"
)

// Lines writes one JSON object per line; safe for concurrent use.
type Lines struct {
	mutex   sync.Mutex
	encoder *json.Encoder
}

// NewLines writes to the given output.
func NewLines(out io.Writer) *Lines {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return &Lines{encoder: encoder}
}

// Write writes one line.
func (l *Lines) Write(line map[string]any) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if err := l.encoder.Encode(line); err != nil {
		_ = l.encoder.Encode(map[string]any{"event": "unwritable", "error": err.Error()})
	}
}
