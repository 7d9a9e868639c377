package grpcapi

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"slipway/server/fault"
	"slipway/server/oip"
	"slipway/server/serving"
)

type parameters = map[string]*oip.InferParameter

// requestParameters reads the two that say how a request is to be treated.
func requestParameters(given parameters) (q serving.Query, err error) {
	for name, p := range given {
		switch name {
		case "timeout":
			var microseconds uint64
			if microseconds, err = whole(p, math.MaxInt64/uint64(time.Microsecond)); err == nil {
				q.Timeout = time.Duration(microseconds) * time.Microsecond
			}
		case "priority":
			var priority uint64
			if priority, err = whole(p, math.MaxInt32); err == nil {
				q.Priority = int(priority)
			}
		}
		if err != nil {
			return q, fault.New(fault.InvalidArgument, "parameters[%q]: %w", name, err)
		}
	}
	return q, nil
}

// whole is a parameter that is a number from 0 to most.
func whole(p *oip.InferParameter, most uint64) (uint64, error) {
	switch n := p.GetParameterChoice().(type) {
	case *oip.InferParameter_Uint64Param:
		if n.Uint64Param <= most {
			return n.Uint64Param, nil
		}
	case *oip.InferParameter_Int64Param:
		if n.Int64Param >= 0 && uint64(n.Int64Param) <= most {
			return uint64(n.Int64Param), nil
		}
	}
	return 0, fmt.Errorf("must be an int64_param or uint64_param from 0 to %d", most)
}

// tensorParameters refuses those parameters of an input or output that would
// change what its data means. The error begins with the parameter's name in brackets.
func tensorParameters(given parameters) error {
	for name, p := range given {
		var reason error
		switch {
		case strings.HasPrefix(name, "shared_memory_"):
			reason = errors.New("the shared memory extension is not served: send the data in the message")
		case name == "classification" && !isZero(p):
			reason = errors.New("the classification extension is not served: rank the scores at the client")
		case name == "content_type" && p.GetStringParam() == "base64":
			reason = errors.New("base64 is not decoded: send the bytes themselves")
		}
		if reason != nil {
			return fmt.Errorf("[%q]: %w", name, reason)
		}
	}
	return nil
}

func isZero(p *oip.InferParameter) bool {
	n, err := whole(p, 0)
	return err == nil && n == 0
}
