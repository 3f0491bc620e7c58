"""Takes jobs one at a time, and answers."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import gc
import os
import queue
import signal
import sys
import threading
import time
from typing import Any, Dict, List, Optional

from . import interleave, seeding
from .channel import Channel, receive
from .failures import ReplicateFailure, error_info
from .forks import end_fork
from .modules import Modules
from .observe import FileObserver
from .output import CapturedStream, Printer, target
from .pipeline import Enter, Pass, Pipeline
from .verify import verify

Message = Dict[str, Any]


class Worker:
    def __init__(self) -> None:
        self._channel = Channel()
        self._observer = FileObserver()
        self._jobs: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._modules: Optional[Modules] = None
        self._pipelines: Dict[str, Pipeline] = {}
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._aborting = False
        self._in_step = False

    def serve(self) -> None:
        """Works until the owner of this process says that it is over, or is gone."""
        faulthandler.enable(file=sys.__stderr__, all_threads=False)
        sys.stdout = CapturedStream(1)
        sys.stderr = CapturedStream(2)
        # The owner of this process decides what Ctrl-C means.
        signal.signal(signal.SIGINT, self._interrupt)
        seeding.watch_imports()
        threading.Thread(target=receive, args=(self._hear,), daemon=True).start()
        while True:
            message = self._jobs.get()
            kind = message["type"]
            if kind == "run":
                self._run(message)
            elif kind == "verify":
                self._verify(message["verify"])
            else:
                self._end()
            self._channel.flush()

    def _hear(self, message: Message) -> None:
        if message["type"] != "abort":
            self._jobs.put(message)
            return
        self._channel.flush()
        self._aborting = True
        if self._in_step:
            # A real signal, so that it ends a wait as well.
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def _interrupt(self, *_: Any) -> None:
        if self._aborting and self._in_step:
            self._in_step = False
            raise KeyboardInterrupt("The run was stopped.")

    def _run(self, message: Message) -> None:
        job, ticket = message["job"], message["ticket"]
        self._alone(None)
        try:
            os.chdir(job["folder"])
            self._observer.enter(job["experiment"], job["root"])
            pipeline = self._bind(job)
            end_fork()
        except BaseException as error:
            end_fork(error.__cause__ or error)
            self._end_line()
            self._tell_reads(job["root"])
            failure = self._failure(error, job["root"])
            self._channel.send({"type": "batch-failed", "ticket": ticket, "failure": failure})
            return
        self._channel.send({"type": "batch-started", "ticket": ticket})
        while pipeline.warnings:
            self._log(None, pipeline.warnings.pop(0))
        replicates = message["replicates"]
        if message["concurrency"] > 1:
            self._run_interleaved(pipeline, message)
        else:
            for replicate in replicates:
                if self._aborting:
                    break
                self._run_alone(pipeline, replicate, message)
        self._alone(None)
        self._channel.send({"type": "batch-finished", "ticket": ticket})

    def _bind(self, job: Message) -> Pipeline:
        modules = self._modules = self._modules or Modules(job["root"])
        modules.enter(job["folder"])
        known = self._pipelines.get(job["id"])
        if known is None:
            seeding.seed_all(0)
            known = self._pipelines[job["id"]] = Pipeline(job, modules)
        return known

    def _run_alone(self, pipeline: Pipeline, replicate: Message, message: Message) -> None:
        job, index, seed = message["job"], replicate["replicate"], replicate["seed"]
        printer = self._alone(index)
        enter = self._announce(index, message)
        started = time.perf_counter()
        try:
            self._return_to(job["folder"])
            self._in_step = True
            seeding.seed_all(seed)
            result = self._drive(pipeline.run(index, seed, "again" in replicate, enter))
            self._in_step = False
            self._finish(index, started, result, printer, job["root"])
        except BaseException as error:
            self._in_step = False
            self._fail(index, started, error, printer, job["root"])

    def _announce(self, index: int, message: Message) -> Enter:
        """Says that a replicate starts, and gives what tells its calls, where starts are announced."""
        if not message["announce"]:
            return lambda call: None
        self._channel.send({"type": "replicate-started", "replicate": index})
        return lambda call: self._channel.send({"type": "call-started", "replicate": index, "call": call})

    def _drive(self, steps: Pass) -> Message:
        """Runs a pass to its end; what it has to wait for, in the event loop."""
        try:
            waiting = next(steps)
            while True:
                try:
                    value = self._wait(waiting)
                except BaseException as error:
                    waiting = steps.throw(error)
                else:
                    waiting = steps.send(value)
        except StopIteration as stop:
            return stop.value

    def _wait(self, waiting: Any) -> Any:
        loop = self._event_loop()
        task = loop.create_task(_awaited(waiting))
        try:
            return loop.run_until_complete(task)
        except KeyboardInterrupt:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                loop.run_until_complete(task)
            raise

    def _run_interleaved(self, pipeline: Pipeline, message: Message) -> None:
        waiting: List[Message] = message["replicates"][::-1]
        job = message["job"]

        async def run(replicate: Message) -> None:
            index, seed = replicate["replicate"], replicate["seed"]
            printer = Printer(index, self._log)
            interleave.enter(seed, printer)
            enter = self._announce(index, message)
            started = time.perf_counter()
            try:
                steps = pipeline.run(index, seed, "again" in replicate, enter)
                # A task of its own, so that it draws from the replicate's random numbers.
                result = await asyncio.get_running_loop().create_task(_drive_async(steps))
                self._finish(index, started, result, printer, job["root"])
            except BaseException as error:
                self._fail(index, started, error, printer, job["root"])

        async def lane() -> None:
            while waiting and not self._aborting:
                await asyncio.get_running_loop().create_task(run(waiting.pop()))

        async def lanes() -> None:
            await asyncio.gather(*(lane() for _ in range(min(message["concurrency"], len(waiting)))))

        self._in_step = True
        try:
            self._event_loop().run_until_complete(lanes())
        except KeyboardInterrupt:
            for task in asyncio.all_tasks(self._event_loop()):
                task.cancel()
            with contextlib.suppress(BaseException):
                self._event_loop().run_until_complete(asyncio.sleep(0))
        finally:
            self._in_step = False

    def _verify(self, job: Message) -> None:
        self._alone(None)
        seeding.seed_all(0)
        try:
            os.chdir(job["folder"])
            modules = self._modules = self._modules or Modules(job["root"])
            modules.enter(job["folder"])
            self._channel.send({"type": "verified", "verdict": verify(job, modules)})
        except BaseException as error:
            self._channel.send({"type": "verify-failed", "failure": self._failure(error, job["root"])})

    def _end(self) -> None:
        """Lets steps let go of what they hold."""
        for pipeline in self._pipelines.values():
            with contextlib.suppress(Exception):
                pipeline.tear_down()
        self._channel.flush()
        os._exit(0)

    def _finish(self, index: int, started: float, result: Message, printer: Printer, root: str) -> None:
        milliseconds = round((time.perf_counter() - started) * 1000, 3)
        printer.end()
        self._tell_reads(root)
        self._channel.send(
            {"type": "replicate-finished", "replicate": index, "ms": milliseconds, **result}, may_wait=True
        )

    def _fail(self, index: int, started: float, error: BaseException, printer: Printer, root: str) -> None:
        end_fork(error.__cause__ or error)
        milliseconds = round((time.perf_counter() - started) * 1000, 3)
        printer.end()
        self._tell_reads(root)
        failure = self._failure(error, root)
        self._channel.send({"type": "replicate-failed", "replicate": index, "ms": milliseconds, "failure": failure})
        if isinstance(error.__cause__, MemoryError):
            error.__cause__ = None
            gc.collect()

    def _tell_reads(self, root: str) -> None:
        """Also of what fails: modules may have kept what it has read, for those that succeed."""
        reads = self._observer.take(root)
        if reads:
            self._channel.send({"type": "observed", "reads": reads})

    def _failure(self, error: BaseException, root: str) -> Message:
        if isinstance(error, ReplicateFailure):
            return error.failure
        if isinstance(error, OSError):
            return {"reason": "results-unwritable", "path": str(error.filename or ""), "error": error_info(error, root)}
        return {"reason": "module-threw", "file": "the worker", "error": error_info(error, root)}

    def _alone(self, replicate: Optional[int]) -> Printer:
        self._end_line()
        target.alone = Printer(replicate, self._log)
        return target.alone

    def _end_line(self) -> None:
        if target.alone is not None:
            target.alone.end()

    def _log(self, replicate: Optional[int], text: str) -> None:
        message: Message = {"type": "log", "text": text}
        if replicate is not None:
            message["replicate"] = replicate
        self._channel.send(message)

    def _event_loop(self) -> asyncio.AbstractEventLoop:
        """One for the whole process: clients that steps keep are bound to it."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._loop.set_task_factory(interleave.task_factory)
            asyncio.set_event_loop(self._loop)
        return self._loop

    def _return_to(self, folder: str) -> None:
        """A replicate before may have gone elsewhere."""
        with contextlib.suppress(OSError):
            if os.getcwd() == folder:
                return
        os.chdir(folder)


async def _awaited(waiting: Any) -> Any:
    return await waiting


async def _drive_async(steps: Pass) -> Message:
    try:
        waiting = next(steps)
        while True:
            try:
                value = await waiting
            except BaseException as error:
                waiting = steps.throw(error)
            else:
                waiting = steps.send(value)
    except StopIteration as stop:
        return stop.value
