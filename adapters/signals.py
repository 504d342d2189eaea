"""News that travels upward: the room that renders listens here.

``examples_wanted`` is sent inside the transaction in which an adapter's owner asks for it to become
public, with the keywords ``adapter`` (an ``adapters.models.Adapter``), ``examples`` (its waiting
``AdapterExample`` rows) and ``at``. Whoever renders them tells each row which request is on its way
(``AdapterExample.send``) and hands the picture in with ``adapters.publishing.examples.hand_in``.
"""

from django.dispatch import Signal

examples_wanted = Signal()
