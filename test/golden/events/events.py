"""Golden event file, written by tensorboard's own writer.

    python test/golden/events/events.py      (tensorboard)

With a folder as argument: lists the scalars that tensorboard reads there (a check of what lsgmer wrote).
"""
import io
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

if len(sys.argv) > 1:
    events = EventAccumulator(sys.argv[1]).Reload()
    for tag in events.Tags()["scalars"]:
        print(tag, [(one.step, round(one.value, 6)) for one in events.Scalars(tag)])
    sys.exit()


class Sink(io.BytesIO):
    def flush(self):
        pass


sink = Sink()
writer = RecordWriter(sink)
writer.write(event_pb2.Event(wall_time=1700000000.5, file_version="brain.Event:2").SerializeToString())
for step, values in ((1, {"train/loss": 1.25, "dev/ua": 0.5}), (300, {"train/loss": 1e-3})):
    summary = summary_pb2.Summary(
        value=[summary_pb2.Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
    )
    writer.write(event_pb2.Event(wall_time=1700000000.5 + step, step=step, summary=summary).SerializeToString())
Path(__file__).with_name("events.bin").write_bytes(sink.getvalue())
