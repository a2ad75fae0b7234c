"""`make stop`: end what `make demo` started."""

from demo.run import places
from demo.standalone import Standalone

if __name__ == "__main__":
    print("stopped" if Standalone(places()).stop() else "nothing was running")
