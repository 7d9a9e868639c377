"""Trains a model over several workers and publishes it as a bundle that Slipway's server can load.

PyTorch does the distributed work (torchrun, DistributedDataParallel). This program adds what a run on Kubernetes needs: it
can be stopped at any moment and resumes from its newest checkpoint, it publishes no model below the quality gate, and its
exit code shows whether another attempt can succeed.

    __main__        what a pod runs: check the configuration, wait for worker 0, run torchrun, again after a lost peer
    torchrun        one run of torchrun, with the exit code of the worker that failed first
    worker          one process of the training, started by torchrun
    training        the training loop
    finish          the steps after the loop: evaluate, gate, bundle, publish
"""
