// Package batch stands between the callers of a model and its instances: a
// bounded queue with priorities and deadlines, and dynamic batching that never
// lets an instance idle while there is work it may do.
//
// A caller that finds an idle instance and an empty queue runs the model on its
// own goroutine. Otherwise it waits. Whoever frees an instance forms the next
// run from the queue: the first waiting request of the highest priority, and
// behind it, in order, those that agree with it in datatypes and trailing
// shapes and still fit. A run of one request is handed to its caller, which needs no
// copy. A run of several gets a goroutine, a copy of their inputs and a
// context that lives as long as one of its callers does.
//
// Batching never changes an answer. A run of several that fails is halved and
// run again until the failure stands alone with the request that causes it. A
// model whose outputs have not one row for each row of its inputs is not
// batched again; Refused says why.
//
// Requests whose deadline can't be met, by what runs have taken lately, are
// refused when they arrive. An idle instance always takes what comes, so that
// one slow run can't lock everybody out.
//
// The package knows neither HTTP nor ONNX Runtime.
package batch
