"""Runs cells in a tslab kernel, interrupts the last one, and prints one line of JSON: what each cell printed, and whether the kernel lived.

    python interruptedKernel.py FOLDER SECONDS CELL...

FOLDER is the kernel's working directory. SECONDS after the last cell but one has printed "step" for the first time, the kernel gets
an interrupt; the last cell runs after that. Markdown that a cell displays counts as printed, in brackets.
"""
import json
import os
import sys
import time
from queue import Empty

from jupyter_client.manager import KernelManager


def run(client, code, alive, on_text=lambda text: None, timeout=120):
    message = client.execute(code)
    printed = []
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            reply = client.get_iopub_msg(timeout=2)
        except Empty:
            if not alive():
                break
            continue
        if reply["parent_header"].get("msg_id") != message:
            continue
        if reply["msg_type"] == "stream":
            printed.append(reply["content"]["text"])
            on_text(reply["content"]["text"])
        if reply["msg_type"] in ("display_data", "update_display_data"):
            printed.append(f"[{reply['content']['data'].get('text/markdown', 'picture')}]")
        if reply["msg_type"] == "status" and reply["content"]["execution_state"] == "idle":
            return "".join(printed)
    return "".join(printed) + " (no end)"


def main(folder, seconds, *cells):
    manager = KernelManager(kernel_name="tslab")
    manager.start_kernel(cwd=folder, env={**os.environ, "SHARPNESS_THREADS": "1"})
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    outputs = []
    struck = []

    def strike(text):
        if "step" in text and not struck:
            struck.append(True)
            time.sleep(float(seconds))
            manager.interrupt_kernel()

    try:
        for cell in cells[:-2]:
            outputs.append(run(client, cell, manager.is_alive))
        outputs.append(run(client, cells[-2], manager.is_alive, strike))
        time.sleep(2)
        alive = manager.is_alive()
        if alive:
            outputs.append(run(client, cells[-1], manager.is_alive, timeout=60))
        print(json.dumps({"alive": alive, "outputs": outputs}))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


main(*sys.argv[1:])
