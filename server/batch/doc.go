// Package batch queues the requests of one model and batches them: a bounded
// queue with priorities and deadlines, and dynamic batching that never lets an
// instance idle while there is work it may do.
//
// A caller that finds an idle instance and an empty queue runs the model on its
// own goroutine. Otherwise it waits. Whoever releases an instance selects the
// next run from the queue: the first waiting request of the highest priority,
// and behind it, in order, the requests that have the same datatypes and
// trailing shapes and still fit. A run of one request is handed to its caller,
// which needs no copy. A run of several gets a goroutine, a copy of their inputs
// and a context that lives as long as one of its callers does.
//
// Batching never changes a response. A run of several that fails is halved and
// retried until the failure stands alone with the request that causes it. A
// model whose outputs do not have one row for each row of its inputs is no
// longer batched, and the Observer is notified of the reason.
//
// A request whose deadline can't be met, judged by what runs have taken lately,
// is refused when it arrives. An idle instance always takes what comes, so that
// one slow run can't lock everybody out.
//
// The package must not know HTTP, gRPC or ONNX Runtime: it is given a function
// that runs the model and an Observer.
package batch
