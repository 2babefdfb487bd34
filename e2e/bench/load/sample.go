package main

import (
	"sort"
	"sync"
)

// samples collects figures from many goroutines; all are ms.
type samples struct {
	mu     sync.Mutex
	values []float64
}

func (s *samples) add(ms float64) {
	s.mu.Lock()
	s.values = append(s.values, ms)
	s.mu.Unlock()
}

type quantiles struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

func (s *samples) quantiles() quantiles {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.values) == 0 {
		return quantiles{}
	}
	sort.Float64s(s.values)
	at := func(q float64) float64 { return s.values[int(q*float64(len(s.values)-1)+0.5)] }
	return quantiles{len(s.values), at(0.5), at(0.99), at(1)}
}
