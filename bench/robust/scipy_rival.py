#!/usr/bin/python3
"""What a SciPy user would write for the same games: L-BFGS-B on phi by implicit differentiation.

The follower is solved by scipy.optimize.minimize from its last answer, the adjoint system by numpy.linalg.solve with the
dense Hessian. The games' oracles are asked of `bilevel_robust --serve` through a pipe, which counts the calls.

    scipy_rival.py PROGRAM SEED INSTANCES PROCESSES SECONDS OUT.json FAMILY...
"""
import json
import multiprocessing
import subprocess
import sys
import time

import numpy as np
from scipy.optimize import minimize


class OutOfTime(Exception):
    pass


class Oracles:
    """The game that was opened last; x, y and all answers are numpy arrays."""

    def __init__(self, program, seed):
        self.process = subprocess.Popen([program, "--serve", "--seed", str(seed)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def ask(self, words, *arrays):
        numbers = " ".join(repr(float(number)) for array in arrays for number in array)
        self.process.stdin.write(f"{words} {numbers}\n")
        self.process.stdin.flush()
        return np.fromstring(self.process.stdout.readline(), sep=" ")

    def open(self, family, index):
        answer = self.ask(f"open {family} {index}")
        self.n, self.m = int(answer[0]), int(answer[1])
        return answer[2:2 + self.n], answer[2 + self.n:]

    def lower(self, x, y):
        answer = self.ask("lower", x, y)
        return answer[0], answer[1:]

    def upper(self, x, y):
        answer = self.ask("upper", x, y)
        return answer[0], answer[1:1 + self.n], answer[1 + self.n:]

    def second(self, x, y):
        """H (m x m) and B (n x m)."""
        answer = self.ask("second", x, y)
        split = self.m * self.m
        return answer[:split].reshape(self.m, self.m), answer[split:].reshape(self.n, self.m)

    def calls(self):
        return int(self.ask("calls")[0])


def solve(oracles, x0, y0, seconds):
    end = time.monotonic() + seconds
    latest = {"y": y0}

    def answer(x):
        def objective(y):
            if time.monotonic() > end:
                raise OutOfTime
            return oracles.lower(x, y)
        fit = minimize(objective, latest["y"], jac=True, method="L-BFGS-B",
                       options={"maxiter": 10000, "maxfun": 100000, "ftol": 1e-15, "gtol": 1e-10})
        latest["x"], latest["y"] = x.copy(), fit.x
        return fit.x

    def value_and_slope(x):
        y = answer(x)
        f, f_x, f_y = oracles.upper(x, y)
        H, B = oracles.second(x, y)
        try:
            w = np.linalg.solve(H, f_y)
        except np.linalg.LinAlgError:
            w = np.linalg.lstsq(H, f_y, rcond=None)[0]
        return f, f_x - B @ w

    try:
        found = minimize(value_and_slope, x0, jac=True, method="L-BFGS-B",
                         options={"maxiter": 2000, "ftol": 1e-15, "gtol": 1e-9})
        return found.x, answer(found.x), bool(found.success), str(found.message)
    except OutOfTime:
        return latest.get("x", x0), latest["y"], False, f"{seconds} s spent"
    except (ValueError, np.linalg.LinAlgError) as error:  # what NumPy and SciPy make of NaN
        return latest.get("x", x0), latest["y"], False, str(error)


def share(arguments):
    """Every step-th task of all, with a server of its own."""
    program, seed, seconds, tasks = arguments
    oracles = Oracles(program, seed)
    results = []
    for family, index in tasks:
        x0, y0 = oracles.open(family, index)
        start = time.monotonic()
        with np.errstate(all="ignore"):
            x, y, success, message = solve(oracles, x0, y0, seconds)
        results.append({"family": family, "index": index, "x": [repr(float(v)) for v in x],
                        "y": [repr(float(v)) for v in y], "claimed": success, "message": message,
                        "calls": oracles.calls(), "seconds": time.monotonic() - start})
    return results


def main():
    program, seed, instances, processes, seconds, out, *families = sys.argv[1:]
    tasks = [(family, index) for family in families for index in range(int(instances))]
    processes = int(processes)
    with multiprocessing.Pool(processes) as pool:
        shares = pool.map(share, [(program, seed, float(seconds), tasks[first::processes]) for first in range(processes)])
    with open(out, "w", encoding="utf-8") as file:
        json.dump([result for part in shares for result in part], file)


if __name__ == "__main__":
    main()
