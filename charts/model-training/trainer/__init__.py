"""Trains a model over several workers and publishes it as a bundle that Slipway's server picks up.

PyTorch does the distributed work (torchrun, DistributedDataParallel); this program adds what a run on Kubernetes
needs: it can be stopped at any moment and goes on from its newest checkpoint, it publishes nothing that is below
its quality gate, and its exit code says whether another try makes sense.

    __main__        what a pod runs: check, wait for the peers, torchrun, again if a peer was lost
    torchrun        one torchrun, whose exit code is that of the worker that failed first
    worker          one process of the training, started by torchrun
    training        the loop
    finish          what comes after it: evaluate, gate, bundle, publish
"""
