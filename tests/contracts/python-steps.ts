/** The steps of node-steps.ts in Python. */
export const PYTHON_STEPS = `
import asyncio, ctypes, os, subprocess, sys, threading, time
from crystallize import pipeline_step

def when(act):
    def step(data, ctx):
        if ctx.get('replicate') == ctx.get('at', 2):
            result = act(ctx, data)
            return data if result is None else result
        return data
    step.__name__ = act.__name__
    return pipeline_step()(step)

def write(ctx, name, text):
    with open(f"{ctx['folder']}/{name}_{ctx['replicate']}", 'w') as file:
        file.write(str(text))

@pipeline_step()
def record(data, ctx):
    ctx.metrics.add('value', ctx['replicate'])
    return data

@when
def closes_3(ctx, data): os.close(3)
@when
def closes_4(ctx, data): os.close(4)
@when
def exits_0(ctx, data): os._exit(0)
@when
def exits_1(ctx, data): os._exit(1)
@when
def aborts(ctx, data): os.abort()
@when
def sys_exits(ctx, data): sys.exit(4)
@when
def faults(ctx, data): ctypes.string_at(0)
@when
def is_killed(ctx, data): os.kill(os.getpid(), 9)
@when
def runs_out_of_memory(ctx, data):
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (512 << 20, resource.getrlimit(resource.RLIMIT_AS)[1]))
    kept = []
    while True: kept.append(bytearray(10 << 20))
@when
def loops(ctx, data):
    while True: pass
@when
def hangs(ctx, data): time.sleep(3600)
@when
def throws_in_a_timer(ctx, data):
    def act(): raise ValueError('too late')
    thread = threading.Thread(target=act)
    thread.start()
    thread.join()
@when
def throws_hostile(ctx, data):
    class Hostile(Exception):
        def __str__(self): raise ValueError('no')
    raise Hostile()
@when
def throws_cause(ctx, data):
    try: raise OSError('connection refused')
    except OSError as error: raise RuntimeError('fetch failed') from error

@pipeline_step()
def returns_function(data, ctx): return lambda: 1
@pipeline_step()
def returns_circle(data, ctx):
    circle = {}
    circle['self'] = circle
    return circle
@pipeline_step()
def floods(data, ctx):
    sys.stdout.write('x' * 49_999_999 + '\\n')
    for i in range(100_000): print('y' * 100)
@pipeline_step()
def floods_below(data, ctx):
    text = b'z' * 1_000_000
    for i in range(50):
        at = 0
        while at < len(text): at += os.write(1, text[at:])
@pipeline_step()
def talks_over(data, ctx):
    os.write(4, b'this is no message')
    return data
@pipeline_step()
def lies(data, ctx):
    os.write(4, b'\\nnull\\n[1]\\n{"type":"replicate-finished","replicate":0,"ms":1,"metrics":{"lie":[1]},"artifacts":{}}\\n')
    return data
@pipeline_step()
def prints(data, ctx):
    ctx.logger.info('a\\ud800b\\0c\\u2028d')
    print('one\\ntwo')
    sys.stderr.write('no end of line')
    ctx.metrics.add('\\u2028\\ud800\\0', 1)
    return data
@pipeline_step()
def draws(data, ctx):
    for i in range(1001): sys.stderr.write(f"\\r| {i} of 1000")
    sys.stderr.write('\\nof Windows\\r\\n')
    for i in range(101): sys.stdout.write(f"{i}%\\r")
    return data
@pipeline_step()
def odd_names(data, ctx):
    for name in ['__proto__', 'constructor', 'toString', '', '1']: ctx.metrics.add(name, ctx['replicate'])
@pipeline_step()
def odd_numbers(data, ctx):
    for value in [float('nan'), float('inf'), float('-inf'), 0, 1e308]: ctx.metrics.add('odd', value)
@pipeline_step()
def keeps_times(data, ctx):
    path = ctx.artifacts.path("copied.txt")
    with open(path, "w") as file:
        file.write("x")
    os.utime(path, (1e9, 1e9))
    os.symlink(ctx["folder"] + "/target", ctx.artifacts.path("linked.txt"))
    return data
@pipeline_step()
def many(data, ctx):
    for i in range(10_000): ctx.metrics.add(f'metric {i}', i)
@pipeline_step()
def fails_twice(data, ctx):
    path = f"{ctx['folder']}/tries_{ctx['replicate']}"
    with open(path, 'a') as file: file.write('x')
    tries = os.path.getsize(path)
    if tries < ctx['succeeds']: raise ValueError(f'try {tries}')
    return data
@pipeline_step()
async def sleeps(data, ctx):
    write(ctx, 'pid', os.getpid())
    await asyncio.sleep(60)
@pipeline_step()
async def naps(data, ctx):
    await asyncio.sleep(0.02)
    ctx.metrics.add('value', ctx['replicate'])
    return data
@pipeline_step()
def blocks(data, ctx):
    write(ctx, 'pid', os.getpid())
    while True: pass
@pipeline_step()
def obeys(data, ctx):
    write(ctx, 'pid', os.getpid())
    try: time.sleep(60)
    finally: write(ctx, 'obeyed', 'yes')
@pipeline_step()
def spawns(data, ctx):
    child = subprocess.Popen(['sleep', '60'])
    write(ctx, 'pid', child.pid)
    time.sleep(3600)
`;

export const PYTHON_DATASOURCES = `
from crystallize import data_source

@data_source
def source(ctx):
    return ctx['replicate']

@data_source
def stuck(ctx):
    while ctx['replicate'] == 2: pass
`;

/** A worker's own end while it loads its modules. */
export const PYTHON_ENDS_ON_LOAD = `import os\nos._exit(3)\n`;
