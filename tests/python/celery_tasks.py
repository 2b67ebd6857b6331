"""The tasks of test_celery.py, which starts `celery --app celery_tasks worker`; CELERY_REDIS names the broker and result backend."""

import os

import celery

app = celery.Celery("celery_tasks", broker=os.environ["CELERY_REDIS"], backend=os.environ["CELERY_REDIS"])
app.conf.update(
    broker_connection_retry_on_startup=True,
    # A task that is due in the future stays in the broker, not in the worker, when this is short.
    broker_transport_options={"visibility_timeout": 60},
    result_expires=600,
    task_acks_late=True,
    worker_prefetch_multiplier=1,
)


@app.task
def add(left, right):
    return left + right


@app.task
def total(numbers):
    return sum(numbers)


@app.task
def fail():
    raise ValueError("as planned")


@app.task(bind=True, max_retries=3)
def third_time_lucky(self):
    if self.request.retries < 2:
        raise self.retry(countdown=0.1)
    return self.request.retries
