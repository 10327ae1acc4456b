"""A hint to the processor: what will be read soon. It changes no result."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numba.np import arrayobj

_make_array: Any = arrayobj.make_array
_READ, _KEPT_CLOSE, _DATA = 0, 3, 1  # how LLVM's `prefetch` is told what for


def _prefetch(_typing_context: Any, array: types.Type, index: types.Type) -> Any:
    """Ask for ``array[index]`` (an unsigned index) to be brought into the cache, and do not wait for it.

    A search jumps about in memory and would wait most of its time, though it knows some steps before where it will go.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = signature.args[0]
        data = _make_array(kind)(context, builder, args[0]).data
        integer, byte = ir.IntType(32), ir.IntType(8).as_pointer()
        place = builder.bitcast(builder.gep(data, [builder.zext(args[1], ir.IntType(64))]), byte)
        arguments = ir.FunctionType(ir.VoidType(), [byte, integer, integer, integer])
        call = builder.module.declare_intrinsic("llvm.prefetch", [byte], arguments)
        builder.call(call, [place, integer(_READ), integer(_KEPT_CLOSE), integer(_DATA)])
        return context.get_dummy_value()

    return types.void(array, index), codegen


prefetch: Any = intrinsic(_prefetch)
